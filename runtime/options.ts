/**
 * Every option, once. A value comes from its flag, else from its environment variable, else it has the default.
 * The only reader of `process.env`.
 */
import { z } from 'zod'
import { Invalid } from './errors.ts'
import type { Fault } from './errors.ts'
import { integer, path, ranges, url, urls } from './option-values.ts'

/** What senders do again within 72 hours is known by its run. */
export const runsKeepDaysLeast = 3
export const isKeepDays = (days: number): boolean => days === 0 || days >= runsKeepDaysLeast
export const keepDaysForms = `expected 0 for ever, or at least ${runsKeepDaysLeast} days: for so long a delivery or an upload that comes again is known by its run`

/** What people give as text; a default is given as text too, and parsed like the rest. */
const table = {
  natsUrl: {
    flag: '--nats-url <url>',
    variable: 'SLUICE_NATS_URL',
    says: 'NATS server, 2.14 or newer with JetStream; of a cluster all of them, separated by commas',
    schema: urls(['nats:', 'tls:'], 'nats://127.0.0.1:4222').optional(),
  },
  postgresUrl: {
    flag: '--postgres-url <url>',
    variable: 'SLUICE_POSTGRES_URL',
    says: 'Postgres database, 15 or newer',
    schema: url(['postgres:', 'postgresql:'], 'postgres://user:password@127.0.0.1:5432/sluice').optional(),
  },
  port: {
    flag: '--port <n>',
    variable: 'SLUICE_PORT',
    default: '8484',
    says: 'port of the API and the console; 0 takes a free one',
    schema: integer(0, 65_535),
  },
  host: {
    flag: '--host <address>',
    variable: 'SLUICE_HOST',
    default: '127.0.0.1',
    says: 'address to listen on; 0.0.0.0 to be reached from other machines',
    schema: z.string().regex(/^[\w.:-]+$/, 'expected an address such as 127.0.0.1 or 0.0.0.0'),
  },
  healthPort: {
    flag: '--health-port <n>',
    variable: 'SLUICE_HEALTH_PORT',
    says: 'serve /healthz, /readyz and /metrics on this port; 0 takes a free one',
    schema: integer(0, 65_535).optional(),
  },
  adminToken: {
    flag: null,
    variable: 'SLUICE_ADMIN_TOKEN',
    says: 'token of the first administrator; long and random',
    schema: z
      .string()
      .regex(/^\S{16,200}$/, 'expected 16 to 200 characters without spaces')
      .optional(),
  },
  secretKey: {
    flag: null,
    variable: 'SLUICE_SECRET_KEY',
    says: 'encrypts stored secrets, at least 16 characters; the same for control and bridges',
    schema: z.string().min(16, 'expected at least 16 characters').optional(),
  },
  namespace: {
    flag: '--namespace <name>',
    variable: 'SLUICE_NAMESPACE',
    default: 'sluice',
    says: 'prefix of the KV buckets, so that several engines can share a NATS server',
    schema: z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, 'expected 1 to 40 letters, digits, _ or -'),
  },
  replicas: {
    flag: '--replicas <n>',
    variable: 'SLUICE_REPLICAS',
    default: '1',
    says: 'copies of each stream on a NATS cluster: 1, 3 or 5; raised for those that are there, never lowered',
    schema: z.enum(['1', '3', '5'], 'expected 1, 3 or 5').transform(Number),
  },
  historyMs: {
    flag: '--history-ms <ms>',
    variable: 'SLUICE_HISTORY_MS',
    default: '900000',
    says: 'how long settled messages stay in the queues; never under 10 minutes',
    schema: integer(600_000, 604_800_000),
  },
  historyMaxBytes: {
    flag: '--history-max-bytes <n>',
    variable: 'SLUICE_HISTORY_MAX_BYTES',
    default: '4294967296',
    says: "size of a topology's queues above which settled messages stay for 10 minutes only",
    schema: integer(1_048_576, 1_000_000_000_000_000),
  },
  maxMessages: {
    flag: '--max-messages <n>',
    variable: 'SLUICE_MAX_MESSAGES',
    default: '1000000',
    says: 'unfinished messages of a topology above which starts are refused with 429',
    schema: integer(1, 1_000_000_000),
  },
  maxBytes: {
    flag: '--max-bytes <n>',
    variable: 'SLUICE_MAX_BYTES',
    default: '10737418240',
    says: "size of a topology's queues above which its starts are refused with 429",
    schema: integer(1_048_576, 1_000_000_000_000_000),
  },
  maxUploads: {
    flag: '--max-uploads <n>',
    variable: 'SLUICE_MAX_UPLOADS',
    default: '64',
    says: 'bodies that a control splits into records at once, each in some 10 MiB of memory; more are refused with 429',
    schema: integer(1, 100_000),
  },
  maxStoreBytes: {
    flag: '--max-store-bytes <n>',
    variable: 'SLUICE_MAX_STORE_BYTES',
    says: 'what NATS may store in all; from 95 % on starts are refused with 503. By default the limit of its account',
    schema: integer(1_048_576, 1_000_000_000_000_000).optional(),
  },
  highWater: {
    flag: '--high-water <n>',
    variable: 'SLUICE_HIGH_WATER',
    default: '10000',
    says: 'messages before a node above which splits and next pages for it are held back; what passes one to one is not',
    schema: integer(1, 1_000_000_000),
  },
  graceMs: {
    flag: '--grace-ms <ms>',
    variable: 'SLUICE_GRACE_MS',
    default: '10000',
    says: 'how long open calls may take when the engine stops',
    schema: integer(0, 600_000),
  },
  auditDays: {
    flag: '--audit-days <n>',
    variable: 'SLUICE_AUDIT_DAYS',
    default: '365',
    says: 'days that the audit log is kept; 0 for ever',
    schema: integer(0, 36_500),
  },
  runsKeepDays: {
    flag: '--runs-keep-days <n>',
    variable: 'SLUICE_RUNS_KEEP_DAYS',
    default: '90',
    says: 'days that runs are kept when they have ended with nothing open in Trash, 3 at least; 0 for ever. A topology may have its own',
    schema: integer(0, 36_500).refine(isKeepDays, keepDaysForms),
  },
  trashKeepDays: {
    flag: '--trash-keep-days <n>',
    variable: 'SLUICE_TRASH_KEEP_DAYS',
    default: '30',
    says: 'days that Trash is kept when it is replayed or discarded; 0 as long as its run. A topology may have its own',
    schema: integer(0, 36_500),
  },
  sessionIdleMs: {
    flag: '--session-idle-ms <ms>',
    variable: 'SLUICE_SESSION_IDLE_MS',
    default: '7200000',
    says: "how long a browser's login lasts without being used",
    schema: integer(1_000, 2_592_000_000),
  },
  sessionMaxMs: {
    flag: '--session-max-ms <ms>',
    variable: 'SLUICE_SESSION_MAX_MS',
    default: '43200000',
    says: "how long a browser's login lasts however much it is used",
    schema: integer(1_000, 31_536_000_000),
  },
  failuresPerMinute: {
    flag: '--failures-per-minute <n>',
    variable: 'SLUICE_FAILURES_PER_MINUTE',
    default: '20',
    says: 'wrong tokens and logins that one address may send; then they are refused with 429',
    schema: integer(1, 1_000_000),
  },
  trustedProxies: {
    flag: '--trusted-proxies <list>',
    variable: 'SLUICE_TRUSTED_PROXIES',
    says: 'addresses and networks, with commas, whose X-Forwarded-For, -Proto and -Host are believed; by default of nobody',
    schema: ranges.default([]),
  },
  logLevel: {
    flag: '--log-level <level>',
    variable: 'SLUICE_LOG_LEVEL',
    default: 'info',
    says: 'debug, info, warn, error or silent',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent'], 'expected debug, info, warn, error or silent'),
  },
  data: {
    flag: '--data <dir>',
    variable: 'SLUICE_DATA',
    default: '.sluiceway',
    says: 'data folder of `sluice dev`',
    schema: path,
  },
  natsServer: {
    flag: '--nats-server <file>',
    variable: 'SLUICE_NATS_SERVER',
    says: 'nats-server to run; by default the one on the PATH, else one that is fetched',
    schema: path.optional(),
  },
  cache: {
    flag: '--cache <dir>',
    variable: 'SLUICE_CACHE',
    says: 'folder for fetched programs; by default ~/.cache/sluiceway',
    schema: path.optional(),
  },
  url: {
    flag: '--url <url>',
    variable: 'SLUICE_URL',
    says: 'engine to talk to; by default the `sluice dev` that runs on the data folder',
    schema: url(['http:', 'https:'], 'http://127.0.0.1:8484').optional(),
  },
  token: {
    flag: '--token <token>',
    variable: 'SLUICE_TOKEN',
    says: 'token for that engine',
    schema: z.string().regex(/^\S+$/, 'expected a token without spaces').optional(),
  },
} as const satisfies Record<string, Row>

interface Row {
  /** As commander reads it; null for secrets, which a command line would show to everybody on the machine. */
  readonly flag: string | null
  readonly variable: string
  readonly default?: string
  readonly says: string
  readonly schema: z.ZodType
}

/** One schema for all of them. */
const schema = z.object({
  ...(Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.schema])) as {
    [K in OptionName]: (typeof table)[K]['schema']
  }),
})

export type OptionName = keyof typeof table
export type Options = z.output<typeof schema>

/** An option as help, documentation and checks show it. */
export interface OptionRow {
  readonly name: OptionName
  readonly flag: string | null
  readonly variable: string
  readonly default: string | undefined
  readonly says: string
}

export const optionTable: readonly OptionRow[] = (Object.entries(table) as [OptionName, Row][]).map(([name, row]) => ({
  name,
  flag: row.flag,
  variable: row.variable,
  default: row.default,
  says: row.says,
}))

const shared = ['namespace', 'replicas', 'graceMs', 'logLevel'] as const
const served = [
  'port',
  'host',
  'adminToken',
  'secretKey',
  'historyMs',
  'historyMaxBytes',
  'maxMessages',
  'maxBytes',
  'maxStoreBytes',
  'maxUploads',
  'auditDays',
  'runsKeepDays',
  'trashKeepDays',
  'sessionIdleMs',
  'sessionMaxMs',
  'failuresPerMinute',
  'trustedProxies',
] as const
const client = ['url', 'token', 'data'] as const

/** Which options each command takes; the commands that talk to a running engine are all `client`. */
export const optionsOf = {
  dev: ['data', 'natsUrl', 'postgresUrl', ...served, 'highWater', ...shared, 'natsServer', 'cache'],
  control: ['natsUrl', 'postgresUrl', ...served, ...shared],
  bridge: ['natsUrl', 'secretKey', 'healthPort', 'host', 'highWater', ...shared],
  migrate: ['postgresUrl'],
  client,
  doctor: [...client, 'natsUrl', 'postgresUrl', 'replicas'],
} as const satisfies Record<string, readonly OptionName[]>

export type Role = keyof typeof optionsOf
type TakenBy<R extends Role> = (typeof optionsOf)[R][number]
type Resolved<R extends Role, N extends TakenBy<R>> = Pick<Options, TakenBy<R>> & {
  readonly [K in N]: NonNullable<Options[K]>
}

/** Where values come from: flags by option name as commander hands them out, and the environment. */
export interface Sources {
  readonly flags: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/**
 * The options of a command; those in `needs` must be given. Throws one `Invalid` with every fault, each with its flag
 * and its variable. An empty variable counts as not set.
 */
export function resolveOptions<R extends Role, N extends TakenBy<R> = never>(
  role: R,
  { flags, environment = process.env }: Sources,
  needs: readonly N[] = [],
): Resolved<R, N> {
  const names: readonly OptionName[] = optionsOf[role]
  const given = Object.fromEntries(names.map((name) => [name, textFor(name, flags, environment)]))
  const mask = Object.fromEntries(names.map((name) => [name, true])) as Record<OptionName, true>
  const parsed = schema.pick(mask).safeParse(given)
  const missing = needs.filter((name) => given[name] === undefined)
  const faults: Fault[] = [
    ...missing.map((name) => ({ path: nameOf(name), message: `is needed: ${table[name].says}` })),
    ...(parsed.error?.issues ?? []).map((issue) => wrong(issue.path[0] as OptionName, issue.message, given)),
  ]
  if (faults.length > 0 || !parsed.success) throw new Invalid('the options are wrong', faults)
  return parsed.data as unknown as Resolved<R, N>
}

function textFor(name: OptionName, flags: Sources['flags'], environment: NonNullable<Sources['environment']>) {
  const row: Row = table[name]
  const flag = flags[name]
  if (typeof flag === 'string') return flag
  return environment[row.variable] || row.default
}

/** A value that may be a secret, or hold a password, isn't repeated. */
function wrong(name: OptionName, message: string, given: Readonly<Record<string, string | undefined>>): Fault {
  const isSecret = ['adminToken', 'secretKey', 'token', 'natsUrl', 'postgresUrl'].includes(name)
  return { path: nameOf(name), message: isSecret ? message : `${message}; found "${given[name] ?? ''}"` }
}

/** `--port (SLUICE_PORT)`. */
function nameOf(name: OptionName): string {
  const { flag, variable }: Row = table[name]
  return flag === null ? variable : `${flag.split(' ')[0] ?? ''} (${variable})`
}

/** The person's editor, as git and others find it. */
export function editorCommand(): string {
  return process.env.VISUAL || process.env.EDITOR || 'vi'
}

/** Whether stack traces are wanted, before the options of a command are known. */
export function isDebugging(): boolean {
  return process.env.SLUICE_LOG_LEVEL === 'debug'
}

/** Whether npm, or what goes for it, runs us as a package's `npm start`. */
export function isNpmStart(): boolean {
  return process.env.npm_lifecycle_event === 'start'
}
