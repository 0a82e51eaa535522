import { dataOf, engine } from '../../../api/engine.ts'

/** A start as it is typed; empty: left out. */
export interface Given {
  readonly node: string | null
  readonly body: string
  readonly tenant: string
  readonly key: string
}

/** Starts a run. A body goes as it is typed, byte by byte: as a part of a request its numbers would be read and written anew. */
export function startRun(topology: string, { node, body, tenant, key }: Given): Promise<{ runId: string }> {
  const ofTenant = tenant !== '' && { tenant }
  if (node === null || body.trim() === '') {
    const start = { ...(node !== null && { node }), ...ofTenant, ...(key !== '' && { key }) }
    return dataOf(engine.POST('/api/topologies/{topology}/run', { params: { path: { topology } }, body: start }))
  }
  const header = { ...(key !== '' && { 'idempotency-key': key }) }
  const params = { path: { topology, node }, query: { ...ofTenant }, header }
  return dataOf(engine.POST('/start/{topology}/{node}', { params, body, bodySerializer: () => body }))
}
