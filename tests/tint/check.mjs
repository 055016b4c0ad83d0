// Asks Tint, the WGSL compiler of Chrome's WebGPU, about every .wgsl file of a folder, on Dawn's null backend: no driver
// and no GPU are needed. Browsers ship Tint, and it refuses some of what naga takes.
//
//   npm install --prefix target/tint webgpu@0.6.2
//   node tests/tint/check.mjs target/tint FOLDER
//
// Prints `refused FILE: what Tint said` for each refused file and at last `checked N files`; the exit status tells only
// whether the check took place.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [install, folder] = process.argv.slice(2);
const home = resolve(install, 'node_modules', 'webgpu');
const { main } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
const { create, globals } = await import(pathToFileURL(join(home, main ?? 'index.js')));
Object.assign(globalThis, globals);

const gpu = create(['backend=null']);
const adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice({ requiredFeatures: adapter.features.has('subgroups') ? ['subgroups'] : [] });

// The text as a browser would be given it. naga does not know the line that Tint wants before subgroup operations, and
// Dawn grants 64 bytes of immediates where we use 128: those become a uniform here.
function forBrowsers(text) {
  const enable = /\bsubgroup\w+\s*\(|\bsubgroup_(size|invocation_id)\b/.test(text) ? 'enable subgroups;\n' : '';
  return enable + text.replace('var<immediate> im', '@group(3) @binding(0) var<uniform> im');
}

async function refusal(code) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter((m) => m.type === 'error').map((m) => `line ${m.lineNum}: ${m.message}`);
  if (errors.length === 0) {
    // Making the pipeline checks limits and what is only known when constants are.
    device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  }
  const error = await device.popErrorScope();
  return errors.length > 0 ? errors.join('; ') : error?.message;
}

const files = readdirSync(folder).filter((name) => name.endsWith('.wgsl')).sort();
for (const file of files) {
  const text = readFileSync(join(folder, file), 'utf8');
  const said = await refusal(forBrowsers(text));
  if (said) {
    const about = text.startsWith('// ') ? ` (${text.slice(3, text.indexOf('\n'))})` : '';
    console.log(`refused ${file}${about}: ${said.replaceAll('\n', ' ')}`);
  }
}
console.log(`checked ${files.length} files`);
device.destroy();
