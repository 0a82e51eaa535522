import { writeFileSync } from 'node:fs'
import { editorSchema } from './json-schema.ts'

/** Writes docs/topology.schema.json: `node --import tsx --conditions=source runtime/topology/files/write-schema.ts` */
const file = new URL('../../../docs/topology.schema.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(editorSchema(), null, 2)}\n`)
