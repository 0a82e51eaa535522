/**
 * Keys of what was asked, by what it is about, so that an event can say what is to be looked at anew: the name of the kind first, then
 * the id of the topology (null: of all), then what else was asked for. What is answered in another form has another key: null before a word
 * that might be a name.
 */
export const keys = {
  topologies: ['topologies'],
  /** By what the address calls it. */
  topology: (topology: string) => ['topology', topology],
  /** What publishing would say of a draft. */
  checks: (...what: unknown[]) => ['check', ...what],
  nodes: (topology: string) => ['nodes', topology],
  /** Figures of queues as bridges tell them, with rates. */
  queues: (topologyId: string) => ['queues', topologyId],
  /** How full queues are, as events tell it. */
  depths: ['depths'],
  /** Of one node, or of all. */
  why: (topologyId: string, ...node: unknown[]) => ['why', topologyId, ...node],
  runs: (topologyId: string | null, ...filter: unknown[]) => ['runs', topologyId, ...filter],
  run: (id: string) => ['run', id],
  trash: (topologyId: string | null, ...filter: unknown[]) => ['trash', topologyId, ...filter],
  /** Messages in Trash, whole: they may be large, and change only when they are edited or settled. */
  messages: ['message'],
  message: (id: string) => ['message', id],
  trashBody: (id: string) => ['trash-body', id],
  bulks: (...filter: unknown[]) => ['bulks', ...filter],
  bulk: (id: string) => ['bulk', id],
  cursors: (...filter: unknown[]) => ['cursors', ...filter],
  workers: (...filter: unknown[]) => ['workers', ...filter],
  cursor: (id: string, ...what: unknown[]) => ['cursor', id, ...what],
  watermarks: (...filter: unknown[]) => ['watermarks', ...filter],
  watermark: (id: string, ...what: unknown[]) => ['watermark', id, ...what],
  services: (...filter: unknown[]) => ['services', ...filter],
  serviceState: (name: string, ...what: unknown[]) => ['service-state', name, ...what],
  /** The same for a row of a list, which is asked for less often. */
  serviceGlance: (name: string) => ['service-glance', name],
  cron: (...filter: unknown[]) => ['cron', ...filter],
  tokens: (...filter: unknown[]) => ['tokens', ...filter],
  audit: (...filter: unknown[]) => ['audit', ...filter],
  status: ['status'],
} as const
