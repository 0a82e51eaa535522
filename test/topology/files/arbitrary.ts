import fc from 'fast-check'
import { unsafeValue } from '../../../runtime/topology/document.ts'
import type { TopologyDocument } from '../../../runtime/topology/schema.ts'

const name = fc.stringMatching(/^[a-z0-9-]{1,12}$/)
const text = fc.string({ maxLength: 40, unit: 'grapheme-ascii' })
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const retry = fc.record(
  {
    attempts: fc.integer({ min: 1, max: 100 }),
    backoff: fc.constantFrom('fixed' as const, 'exponential' as const),
    on: fc.array(fc.constantFrom('timeout', 'any', 'status:5xx', 'status:500-504'), { minLength: 1, maxLength: 3 }),
    maxAgeMs: fc.option(fc.integer({ min: 1, max: 1_000_000 })),
  },
  { requiredKeys: [] },
)

/** Any JSON, with keys and texts that YAML has a meaning for. */
const strange = fc.constantFrom(
  '',
  'null',
  '~',
  'yes',
  '0x10',
  '1e3',
  '- a',
  '# b',
  "it's",
  '"',
  '---',
  'a: b',
  '2026-01-01',
  ' x ',
  '\n',
  '<<',
)
const settings = fc.dictionary(
  fc.oneof(strange, name),
  fc.oneof(
    strange,
    fc.integer(),
    // A negative zero is a zero in JSON.
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(strange, { maxLength: 3 }),
  ),
  { maxKeys: 4, noNullPrototype: true },
)

const workerNode = fc.record(
  {
    name,
    type: fc.constantFrom('connector' as const, 'batch' as const, 'custom' as const),
    worker: fc.constantFrom('shop', 'yes', '12'),
    prefetch: fc.integer({ min: 1, max: 20 }),
    timeoutMs: fc.integer({ min: 100, max: 86_400_000 }),
    onFail: fc.constantFrom('skip' as const, 'block' as const),
    partitionKey: fc.constantFrom('/customer/id', 'header:x-customer'),
    emit: fc.constantFrom('page', 'records', 'chunks=10'),
    retry,
    settings,
  },
  { requiredKeys: ['name', 'type'] },
)
const eventNode = fc.record(
  { name, type: fc.constantFrom('start' as const, 'cron' as const), enabled: fc.boolean() },
  { requiredKeys: ['name', 'type'] },
)

/** Documents of a right shape, with nodes of different names; their graphs may have faults. */
export const documents: fc.Arbitrary<TopologyDocument> = fc
  .record({
    name,
    description: optional(fc.oneof(text, strange)),
    labels: optional(
      fc.dictionary(fc.oneof(name, fc.constant('yes')), fc.oneof(text, strange), { maxKeys: 3, noNullPrototype: true }),
    ),
    nodes: fc.uniqueArray(fc.oneof(workerNode, eventNode), { maxLength: 5, selector: (node) => node.name }),
    edges: fc.array(fc.record({ from: name, to: name }), { maxLength: 5 }),
  })
  .map(({ description, labels, ...rest }) => ({
    ...rest,
    ...(description !== undefined && { description }),
    ...(labels && { labels }),
    nodes: rest.nodes,
  }))
  // No document may hold keys such as `constructor`.
  .filter((document) => unsafeValue(document) === null)
