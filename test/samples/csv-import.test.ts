import { readFileSync } from 'node:fs'
import { serve } from '@sluiceway/worker/node'
import postgres from 'postgres'
import { expect, onTestFinished, test } from 'vitest'
import { openProducts } from '../../workers/samples/csv-import/table.ts'
import { productsWorker } from '../../workers/samples/csv-import/worker.ts'
import { bridgeOf } from '../api/running.ts'
import { over, recording, runWhen } from '../api/upload/send.ts'
import { openCli } from '../cli/inside.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

const folder = 'workers/samples/csv-import'

/** The sample as its README starts it, but in this process. */
async function running() {
  const url = await freshDatabase()
  const table = await openProducts(url)
  const sql = postgres(url, { max: 1 })
  const serving = await serve(productsWorker(table), { port: 0 })
  onTestFinished(async () => {
    await serving.close()
    await table.close()
    await sql.end()
  })
  const t = await recording()
  await bridgeOf(t)
  await t.post('/api/workers', { name: 'products', urls: [serving.url] })
  const rows = () =>
    sql`select sku, name, cents::integer from products order by sku`.then((rows) => rows.map((row) => ({ ...row })))
  return { t, rows }
}

test('a price list is stored row by row, what is wrong with it waits in Trash, and a mended row is stored, too', async () => {
  const { t, rows } = await running()
  const { run } = await openCli(t)
  expect((await run('apply', '-f', `${folder}/topology.yaml`, '--publish')).code).toBe(0)
  const sent = await run('run', 'csv-import', 'file', '--data', `@${folder}/products.csv`, '--split', 'records')
  expect([sent.code, sent.stderr]).toEqual([0, '5 records, 1 that is none in Trash\n'])
  const ended = await over(t, sent.stdout.trim())
  expect(ended).toMatchObject({ state: 'failed', messages: { total: 6, done: 4, failed: 2 } })
  expect(await rows()).toEqual([
    { sku: 'A-1', name: 'Lamp, small', cents: 1990 },
    { sku: 'A-2', name: 'Table "Oak"', cents: 24_900 },
    { sku: 'A-3', name: 'Chair', cents: 8950 },
    { sku: 'A-6', name: 'Mirror\nwith a frame', cents: 5900 },
  ])

  const { items } = (await t.get('/api/trash?topology=csv-import&node=file')).body
  const [row] = items
  await t.send('PUT', `/api/trash/${row?.id}`, { json: { body: 'sku,name,price\nA-4,Shelf,120' } })
  expect((await run('trash', 'replay', row?.id ?? '')).code).toBe(0)
  await runWhen(t, ended.id, ({ messages }) => (messages as { done: number }).done === 5)
  await eventually('the shelf is stored', async () => (await rows()).some(({ sku }) => sku === 'A-4'))
})

test('the README is short, and names what there is', () => {
  const readme = readFileSync(`${folder}/README.md`, 'utf8')
  expect(
    readme
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '').length,
  ).toBeLessThanOrEqual(10)
  for (const file of ['main.ts', 'topology.yaml', 'products.csv']) expect(readme).toContain(`${folder}/${file}`)
})
