import { expect, onTestFinished, test, vi } from 'vitest'
import { ownWorkerFile } from '../../runtime/commands/dev/worker-file.ts'
import { openStack } from '../../runtime/commands/stack.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { freshDatabase } from '../support/database.ts'

const files = [
  ['csv-import', 'PRODUCTS_POSTGRES_URL', 'products'],
  ['delta-sync', 'ARTICLES_POSTGRES_URL', 'articles'],
] as const

test.each(files)('the worker of %s is served by its file, as its README says', async (sample, variable, name) => {
  vi.stubEnv(variable, await freshDatabase())
  onTestFinished(() => void vi.unstubAllEnvs())
  const stack = openStack(silentLog)
  onTestFinished(() => stack.stop())
  const said: string[] = []
  const file = `workers/samples/${sample}/main.ts`
  const worker = await ownWorkerFile(stack, { file, say: (line) => void said.push(line), moved: async () => {} })
  expect([worker.name, said]).toEqual([name, []])
})

test('the worker of delta-sync reads pages of articles by hand', async () => {
  vi.stubEnv('ARTICLES_POSTGRES_URL', await freshDatabase())
  onTestFinished(() => void vi.unstubAllEnvs())
  const stack = openStack(silentLog)
  onTestFinished(() => stack.stop())
  const file = 'workers/samples/delta-sync/main.ts'
  const { url } = await ownWorkerFile(stack, { file, say: () => undefined, moved: async () => {} })
  const answer = await fetch(`${url}/nodes/list`, { method: 'POST' })
  expect(answer.status).toBe(200)
  expect(((await answer.json()) as unknown[]).length).toBe(500)
})
