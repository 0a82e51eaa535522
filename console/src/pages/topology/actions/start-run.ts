import { dataOf, engine } from '../../../api/engine.ts'
import { wayOf } from './given.ts'
import type { Given } from './given.ts'

/** Starts a run. A body goes as it is typed, byte by byte: as a part of a request its numbers would be read and written anew. */
export async function startRun(topology: string, given: Given): Promise<{ runId: string }> {
  const { tenant, key } = given
  const { node, body } = wayOf(given)
  const ofTenant = tenant !== '' && { tenant }
  if (body === null) {
    const start = { ...(node !== null && { node }), ...ofTenant, ...(key !== '' && { key }) }
    return dataOf(engine.POST('/api/topologies/{topology}/run', { params: { path: { topology } }, body: start }))
  }
  const header = { ...(key !== '' && { 'idempotency-key': key }) }
  const params = { path: { topology, node }, query: { ...ofTenant }, header }
  return dataOf(engine.POST('/start/{topology}/{node}', { params, body, bodySerializer: () => body }))
}
