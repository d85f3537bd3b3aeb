// Judges an AsyncAPI document by the initiative's own parser: says each fault as one line of JSON, and ends with 1 when
// there is an error. The packages are those of package.json, which tests/run installs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [document, packages] = process.argv.slice(2);
const { Parser } = createRequire(`${packages}/node_modules/`)('@asyncapi/parser');
const { document: read, diagnostics } = await new Parser().parse(readFileSync(document, 'utf8'));
for (const { code, message, severity, path } of diagnostics) {
  console.log(JSON.stringify({ severity, code, message, path: path.join('/') }));
}
if (read) console.log(JSON.stringify({ version: read.version(), channels: read.channels().length, messages: read.messages().length }));
process.exit(read && !diagnostics.some(({ severity }) => severity === 0) ? 0 : 1);
