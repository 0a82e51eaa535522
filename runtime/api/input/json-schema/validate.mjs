// Checks JSON texts by a JSON Schema that a worker gave, in a thread of its own: a pattern that takes for ever, or a schema that
// needs more memory than there is, ends with this thread (see check.ts). Nothing is fetched: what a schema refers to stands in it.
import { parentPort, workerData } from 'node:worker_threads'
import { Ajv2020 } from 'ajv/dist/2020.js'

const faultsMax = 20
const { schema, texts } = workerData

parentPort.postMessage('begins')
const validate = compiled()
// One by one: when a text has no end, what was said before it counts.
if (validate !== null) for (const text of texts) parentPort.postMessage({ faults: faultsOf(validate, text) })

function compiled() {
  try {
    // `$schema` may name another draft, whose keywords are taken as those of 2020-12; `$async` would answer later.
    const { $schema: _, $async: __, ...own } = schema
    const made = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, logger: false }).compile(own)
    parentPort.postMessage({ unusable: null })
    return made
  } catch (error) {
    parentPort.postMessage({ unusable: String(error?.message ?? error).slice(0, 500) })
    return null
  }
}

function faultsOf(validate, text) {
  if (validate(JSON.parse(text))) return []
  return (validate.errors ?? []).slice(0, faultsMax).map(({ instancePath, message = 'does not fit', params }) => ({
    path: instancePath.slice(0, 500),
    message: `${message}${moreOf(params)}`.slice(0, 500),
  }))
}

/** What the message alone doesn't say. */
function moreOf({ additionalProperty, unevaluatedProperty, allowedValues } = {}) {
  const name = additionalProperty ?? unevaluatedProperty
  if (name !== undefined) return `: ${JSON.stringify(name)}`
  return allowedValues === undefined ? '' : `: ${JSON.stringify(allowedValues)}`
}
