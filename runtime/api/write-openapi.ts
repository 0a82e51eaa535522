import { readFileSync, writeFileSync } from 'node:fs'
import { createApi } from './api.ts'
import type { ApiDeps } from './deps.ts'
import { openapiDocument } from './openapi.ts'

/** Writes docs/openapi.json: `node --import tsx --conditions=source runtime/api/write-openapi.ts` */
const root = new URL('../../', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string }

// The routes are described here and never called, so there is nothing for them to work with.
const api = createApi({ consoleFolder: null } as ApiDeps)
writeFileSync(new URL('docs/openapi.json', root), `${JSON.stringify(openapiDocument(api, version), null, 2)}\n`)
