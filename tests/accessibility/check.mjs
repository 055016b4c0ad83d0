// Holds pages to axe-core's rules, in light and in dark: node check.mjs PAGE.html… Exits with 1 where a rule is broken.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";

const require = createRequire(pathToFileURL(process.cwd() + "/"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // WebGPU on the processor, so that pages that run a model do.
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
});
let broken = 0;

// What axe says of a page that is open.
async function judge(tab) {
    await tab.evaluate(axe);
    return tab.evaluate((tags) => axe.run({ runOnly: tags }), tags);
}

// A picture without words must be noticed, or nothing is worth anything.
const control = await browser.newPage();
await control.setContent('<html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"></main></html>');
if (!(await judge(control)).violations.some(({ id }) => id === "image-alt")) {
    console.error("axe does not notice a picture without words");
    process.exit(2);
}

for (const page of process.argv.slice(2)) {
    for (const colorScheme of ["light", "dark"]) {
        // The page's policy lets no script in but its own; axe comes from outside.
        const context = await browser.newContext({ bypassCSP: true, colorScheme, viewport: { width: 1200, height: 900 } });
        const tab = await context.newPage();
        await tab.goto(pathToFileURL(page).href);
        await tab.waitForTimeout(2000);
        const { violations, incomplete, passes } = await judge(tab);
        const open = incomplete.map(({ id }) => id).join(", ");
        console.log(
            `${page}, ${colorScheme}: ${violations.length} of ${passes.length + violations.length} rules are broken` +
                (open && `; not decided: ${open}`),
        );
        for (const { id, impact, help, nodes } of violations) {
            console.log(`  ${id} (${impact}): ${help}`);
            for (const { target, failureSummary } of nodes.slice(0, 5)) {
                console.log(`    ${target.join(" ")}\n      ${failureSummary.replace(/\n\s*/g, "; ")}`);
            }
            if (nodes.length > 5) console.log(`    and ${nodes.length - 5} more`);
        }
        broken += violations.length;
        await context.close();
    }
}
await browser.close();
process.exit(broken > 0 ? 1 : 0);
