// Checks a HAR by the schema of HAR 1.2, including all formats. Prints
// its number of entries, or what is wrong with it, as one JSON line.
'use strict';

const fs = require('fs');
const Ajv = require('ajv');
const schemas = require('har-schema');

const ajv = new Ajv({ allErrors: true, format: 'full' });
ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-06.json'));
ajv.addSchema(Object.values(schemas));

const har = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const validate = ajv.getSchema('har.json#');
const valid = validate(har);
process.stdout.write(
  `${JSON.stringify(valid ? { entries: har.log.entries.length } : { errors: validate.errors })}\n`,
);
