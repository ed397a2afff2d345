// Opens a report in Chromium, light and dark, and asks axe-core about it; pictures of it, and a PDF, go to a folder.
//     node tests/pages/page.mjs report.html FOLDER
// SEGKIT_TEST_NODE_MODULES names the folder with `axe-core` and `puppeteer-core`, CHROMIUM the browser. The page's policy
// lets no script in, so that axe-core comes by the DevTools protocol, into a world of its own. Prints one JSON object.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [file, folder] = process.argv.slice(2);
const require = createRequire(pathToFileURL(resolve(process.env.SEGKIT_TEST_NODE_MODULES, "node_modules", "x")));
const puppeteer = (await import(pathToFileURL(require.resolve("puppeteer-core")))).default;
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf-8");
const SIZES = { light: [1280, "light"], dark: [1280, "dark"], phone: [390, "light"] };

mkdirSync(folder, { recursive: true });
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const found = { asked: [], errors: [], views: {} };
try {
  for (const [name, [width, scheme]] of Object.entries(SIZES)) {
    const page = await browser.newPage();
    page.on("request", (request) => found.asked.push(request.url()));
    page.on("console", (message) => found.errors.push(message.text()));
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.setViewport({ width, height: 900 });
    await page.goto(pathToFileURL(resolve(file)).href);
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    const protocol = await page.createCDPSession();
    const { frameTree } = await protocol.send("Page.getFrameTree");
    const world = await protocol.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
    const evaluate = async (expression) => {
      const told = await protocol.send("Runtime.evaluate", {
        expression,
        contextId: world.executionContextId,
        awaitPromise: true,
        returnByValue: true,
      });
      if (told.exceptionDetails) throw new Error(JSON.stringify(told.exceptionDetails));
      return told.result.value;
    };
    await evaluate(axe + "; 0");
    await evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true)); 0");
    found.views[name] = await evaluate(`axe.run(document).then((told) => ({
      passes: told.passes.length,
      contrast: told.passes.filter((one) => one.id === "color-contrast").flatMap((one) => one.nodes).length,
      violations: told.violations.map((one) => ({ id: one.id, nodes: one.nodes.map((node) => node.html.slice(0, 200)) })),
      width: document.documentElement.scrollWidth,
    }))`);
    if (name === "light") await page.pdf({ path: join(folder, "a4.pdf"), format: "A4", preferCSSPageSize: true });
    await page.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
