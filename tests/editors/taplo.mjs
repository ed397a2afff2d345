// The language server of taplo on standard input and output. Its package has no command: `node taplo.mjs FOLDER`, the
// folder being the one with `node_modules`.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const { TaploLsp } = createRequire(path.join(path.resolve(process.argv[2]), "here.js"))("@taplo/lsp");

const environment = {
  now: () => new Date(),
  envVar: (name) => process.env[name],
  envVars: () => Object.entries(process.env),
  stdErrAtty: () => false,
  stdin: async () => new Uint8Array(),
  stdout: async (bytes) => bytes.length,
  stderr: async (bytes) => bytes.length,
  glob: () => [],
  readFile: async (name) => fs.readFileSync(name),
  writeFile: async () => {},
  urlToFilePath: (url) => decodeURIComponent(new URL(url).pathname),
  isAbsolute: (name) => path.isAbsolute(name),
  cwd: () => process.cwd(),
  findConfigFile: () => undefined,
};

function answer(message) {
  const body = JSON.stringify(message);
  process.stdout.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

const server = await TaploLsp.initialize(environment, { onMessage: answer });
let read = Buffer.alloc(0);
process.stdin.on("data", (bytes) => {
  read = Buffer.concat([read, bytes]);
  for (;;) {
    const end = read.indexOf("\r\n\r\n");
    if (end < 0) return;
    const size = Number(/Content-Length: (\d+)/i.exec(read.subarray(0, end).toString())[1]);
    if (read.length < end + 4 + size) return;
    server.send(JSON.parse(read.subarray(end + 4, end + 4 + size).toString()));
    read = read.subarray(end + 4 + size);
  }
});
process.stdin.on("end", () => process.exit(0));
