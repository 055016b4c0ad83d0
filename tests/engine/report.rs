//! What a report on a device says of the adapter of the tests.

use crate::common;

use elbo::apps::DeviceReport;

#[test]
fn a_report_has_what_the_adapter_offers() {
    let Some(gpu) = common::gpu() else { return };
    let report = DeviceReport::new(Some(&gpu));
    let device = report.device.as_ref().expect("it was opened");
    assert_eq!(device.name, gpu.adapter().name());
    assert!(report.adapters.iter().any(|line| line.contains(&device.name) && line.contains(&device.driver)));
    // What every adapter that can train has.
    assert!(device.limits["max_storage_buffers_per_shader_stage"] >= 8, "{:?}", device.limits);
    assert!(device.limits["max_compute_invocations_per_workgroup"] >= 256, "{:?}", device.limits);
    let granted = device.features.contains(&"IMMEDIATES");
    assert_eq!(granted, device.limits["max_immediate_size"] > 0, "{:?}", device.features);
    let text = report.to_string();
    for part in [device.name.as_str(), &device.backend, &device.driver, "max_buffer_size", env!("CARGO_PKG_VERSION")] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
}
