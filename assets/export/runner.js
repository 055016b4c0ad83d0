// Programs on a GPU: buffers, pipelines and the calls of a step, as docs/program.md describes them.

/** Words of a step, and bytes from one block of a uniform buffer to the next. */
const STEP_WORDS = 16;
const APART = 256;
/** Steps whose statistics a ring holds. */
const SLOTS = 256;

/** The bytes of a packed block of the page. */
async function unpacked(id) {
  const stream = new Blob([bytesOf(find(id).textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

class Runner {
  /** Opens an adapter; says why where that does not go. */
  static async open(bundle, contentsOf) {
    if (!navigator.gpu) throw new Error("this browser has no WebGPU, or has it switched off");
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) throw new Error("WebGPU finds no graphics card that it can use here");
    const info = adapter.info || {};
    const software = Boolean(info.isFallbackAdapter || adapter.isFallbackAdapter) || /swiftshader|llvmpipe/i.test(`${info.architecture} ${info.description}`);
    const largest = Math.max(...bundle.buffers.map(({ words }) => 4 * words));
    const limits = {};
    for (const limit of ["maxBufferSize", "maxStorageBufferBindingSize"]) {
      if (largest > adapter.limits[limit]) throw new Error(`the model needs ${largest} bytes at once, and WebGPU grants ${adapter.limits[limit]} here`);
      limits[limit] = adapter.limits[limit];
    }
    const device = await adapter.requestDevice({ requiredLimits: limits });
    const runner = new Runner(bundle, device, contentsOf);
    runner.kind = software ? "software" : "gpu";
    runner.name = [info.description, info.device, info.architecture, info.vendor].find((word) => word) || "a graphics card";
    await runner.fill();
    return runner;
  }

  constructor(bundle, device, contentsOf) {
    Object.assign(this, { bundle, device, contentsOf, failed: null });
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    this.buffers = bundle.buffers.map(({ name, words }) => device.createBuffer({ label: name, size: 4 * Math.max(words, 1), usage }));
    this.uniform = (binding, hasDynamicOffset) => ({
      binding, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform", hasDynamicOffset, minBindingSize: 4 * STEP_WORDS },
    });
    this.stepLayout = device.createBindGroupLayout({ entries: [this.uniform(0, true)] });
    this.steps = device.createBuffer({ label: "steps", size: APART * SLOTS, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    this.stepGroup = device.createBindGroup({
      layout: this.stepLayout, entries: [{ binding: 0, resource: { buffer: this.steps, size: 4 * STEP_WORDS } }],
    });
    this.modules = [];
    this.pipelines = [];
    this.prepared = [];
    // Programs that are being compiled, and who is told when these become some or none.
    this.compiling = 0;
    this.onCompiling = () => {};
    // What is asked for later waits for what was asked for before.
    this.turn = Promise.resolve();
    device.addEventListener("uncapturederror", ({ error }) => { this.failed = this.failed || error.message; });
    device.lost.then(({ message }) => { this.failed = this.failed || message || "the graphics card was lost"; });
  }

  /** Puts into all buffers what they begin with. */
  async fill() {
    for (const [index, { initial }] of this.bundle.buffers.entries()) {
      if (initial !== undefined) this.device.queue.writeBuffer(this.buffers[index], 0, await this.contentsOf(initial));
    }
  }

  /** Puts into the buffers of a run's programs what they have before its first launch. */
  async restore({ launches, state }) {
    const used = new Set([...new Set(launches)].flatMap((program) => this.bundle.programs[program].calls.flatMap(({ bindings }) => bindings.map(([buffer]) => buffer))));
    const known = new Map(state);
    const encoder = this.device.createCommandEncoder();
    used.forEach((buffer) => { if (!known.has(buffer)) encoder.clearBuffer(this.buffers[buffer]); });
    this.device.queue.submit([encoder.finish()]);
    for (const [buffer, contents] of known) this.device.queue.writeBuffer(this.buffers[buffer], 0, await this.contentsOf(contents));
  }

  /** The layout of a pipeline's bindings, by what it does with each. */
  layout(access) {
    const entries = Array.from(access, (letter, binding) => ({
      binding, visibility: GPUShaderStage.COMPUTE, buffer: { type: letter === "w" ? "storage" : "read-only-storage" },
    }));
    return this.device.createBindGroupLayout({ entries: [...entries, this.uniform(access.length, false)] });
  }

  pipeline(index) {
    if (!this.pipelines[index]) {
      const { module, access } = this.bundle.pipelines[index];
      this.modules[module] = this.modules[module] || this.device.createShaderModule({ code: this.bundle.modules[module] });
      const layout = this.layout(access);
      const pipelineLayout = this.device.createPipelineLayout({ bindGroupLayouts: [layout, this.stepLayout] });
      const compute = { module: this.modules[module], entryPoint: "main" };
      this.pipelines[index] = this.device.createComputePipelineAsync({ layout: pipelineLayout, compute }).then((pipeline) => ({ pipeline, layout }));
    }
    return this.pipelines[index];
  }

  /** Compiles a program, and binds its buffers. */
  prepare(index) {
    if (!this.prepared[index]) {
      this.compiling += 1;
      this.onCompiling(this.compiling);
      this.prepared[index] = this.bind(this.bundle.programs[index]).finally(() => {
        this.compiling -= 1;
        this.onCompiling(this.compiling);
      });
    }
    return this.prepared[index];
  }

  async bind({ calls, ring, statistics }) {
    const made = await Promise.all(calls.map((call) => this.pipeline(call[this.kind].pipeline)));
    const blocks = new Uint32Array((APART / 4) * Math.max(calls.length, 1));
    calls.forEach(({ sizes }, i) => blocks.set(sizes, (APART / 4) * i));
    const sizes = this.device.createBuffer({ label: "sizes", size: blocks.byteLength, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    this.device.queue.writeBuffer(sizes, 0, blocks);
    const bound = calls.map((call, i) => {
      const storage = call.bindings.map(([buffer, offset, words], binding) => ({
        binding, resource: { buffer: this.buffers[buffer], offset: 4 * offset, size: 4 * Math.max(words, 1) },
      }));
      const own = { binding: storage.length, resource: { buffer: sizes, offset: APART * i, size: 4 * STEP_WORDS } };
      const group = this.device.createBindGroup({ layout: made[i].layout, entries: [...storage, own] });
      return { pipeline: made[i].pipeline, group, grid: call[this.kind].grid };
    });
    return { bound, ring: ring === null ? null : this.buffers[ring], width: statistics.length };
  }

  /** Runs launches, at most as many as a ring has slots; gives the statistics of each. */
  async run(launches) {
    const programs = new Map();
    for (const { program } of launches) if (!programs.has(program)) programs.set(program, { ...(await this.prepare(program)), done: 0 });
    const blocks = new Uint32Array((APART / 4) * launches.length);
    const encoder = this.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const slots = launches.map(({ program, step }, i) => {
      const loaded = programs.get(program);
      blocks.set(step, (APART / 4) * i);
      blocks[(APART / 4) * i + 3] = loaded.done;
      pass.setBindGroup(1, this.stepGroup, [APART * i]);
      for (const { pipeline, group, grid } of loaded.bound) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...grid);
      }
      return loaded.done++;
    });
    pass.end();
    const rings = new Map();
    for (const [program, { ring, width, done }] of programs) if (ring) rings.set(program, this.copied(encoder, ring, 0, 4 * width * done));
    this.device.queue.writeBuffer(this.steps, 0, blocks);
    this.device.queue.submit([encoder.finish()]);
    const found = new Map();
    for (const [program, copy] of rings) found.set(program, new Float32Array(await this.taken(copy)));
    if (this.failed) throw new Error(this.failed);
    return launches.map(({ program }, i) => {
      const { width } = programs.get(program);
      return found.has(program) ? found.get(program).subarray(width * slots[i], width * (slots[i] + 1)) : new Float32Array(0);
    });
  }

  copied(encoder, buffer, offset, size) {
    const copy = this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    encoder.copyBufferToBuffer(buffer, offset, copy, 0, size);
    return copy;
  }

  async taken(copy) {
    await copy.mapAsync(GPUMapMode.READ);
    const bytes = copy.getMappedRange().slice(0);
    copy.destroy();
    return bytes;
  }

  write({ buffer, offset }, values) {
    this.device.queue.writeBuffer(this.buffers[buffer], 4 * offset, Float32Array.from(values));
  }

  async read({ buffer, offset, words }) {
    const encoder = this.device.createCommandEncoder();
    const copy = this.copied(encoder, this.buffers[buffer], 4 * offset, 4 * words);
    this.device.queue.submit([encoder.finish()]);
    return new Float32Array(await this.taken(copy));
  }

  /** Does some work when all that was asked for before is done. */
  after(work) {
    const done = this.turn.then(work);
    this.turn = done.catch(() => {});
    return done;
  }
}
