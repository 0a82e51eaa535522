/** What can be wrong with the edges of a topology. Pure; works on any document, also one with more faults. */
import type { Fault } from '../errors.ts'
import type { EventNodeType } from './plan.ts'
import { eventNodeTypes } from './plan.ts'
import type { DocumentNode, TopologyDocument } from './schema.ts'
import { didYouMean } from './suggest.ts'

/** Followers' names of one node as one header carries them, in bytes. */
const followersMaxBytes = 1024
const cyclesShown = 10

/** Name → names of followers; only edges between nodes that exist, each once, none to itself. */
type Graph = Map<string, Set<string>>

/** All faults of the edges, and of nodes by where they stand. */
export function checkGraph(document: TopologyDocument): Fault[] {
  const graph: Graph = new Map(document.nodes.map(({ name }) => [name, new Set<string>()]))
  const faults = checkEdges(document, graph)
  return [...faults, ...checkCycles(graph), ...checkReachable(document, graph), ...checkFollowers(document, graph)]
}

export function isEventType(type: string): type is EventNodeType {
  return (eventNodeTypes as readonly string[]).includes(type)
}

/** Fills the graph with the edges that are right. */
function checkEdges(document: TopologyDocument, graph: Graph): Fault[] {
  const events = new Set(document.nodes.filter(({ type }) => isEventType(type)).map(({ name }) => name))
  return document.edges.flatMap(({ from, to }, index) => {
    const path = `edges[${index}]`
    const faults = (['from', 'to'] as const).flatMap((end) => unknownEnd({ from, to }[end], `${path}.${end}`, graph))
    if (events.has(to)) faults.push({ path: `${path}.to`, message: `${to} is an event node; no edge may lead to it` })
    if (faults.length === 0 && from === to) faults.push({ path, message: `${from} leads to itself` })
    const followers = graph.get(from)
    if (followers?.has(to)) return [...faults, { path, message: `the edge from ${from} to ${to} is there already` }]
    if (from !== to && graph.has(to)) followers?.add(to)
    return faults
  })
}

function unknownEnd(name: string, path: string, graph: Graph): Fault[] {
  if (graph.has(name)) return []
  return [{ path, message: `there is no node "${name.slice(0, 80)}"${didYouMean(name, graph.keys())}` }]
}

/** Names cycles one by one, each with its last edge taken out of consideration, until none is left. */
function checkCycles(graph: Graph): Fault[] {
  const rest: Graph = new Map([...graph].map(([name, followers]) => [name, new Set(followers)]))
  const faults: Fault[] = []
  for (let cycle = findCycle(rest); cycle !== null && faults.length < cyclesShown; cycle = findCycle(rest)) {
    const [first = '', last = ''] = [cycle[0], cycle.at(-1)]
    faults.push({ path: 'edges', message: `the edges form a cycle: ${[...cycle, first].join(' → ')}` })
    rest.get(last)?.delete(first)
  }
  return faults
}

/** The nodes of a cycle in order, or null. */
function findCycle(graph: Graph): string[] | null {
  const inCycles = withoutEnds(graph)
  const [start] = inCycles.keys()
  if (start === undefined) return null
  const walked = new Map<string, number>()
  let here = start
  while (!walked.has(here)) {
    walked.set(here, walked.size)
    // Every node that is left has a follower that is left.
    here = [...(inCycles.get(here) ?? [])][0] ?? start
  }
  return [...walked.keys()].slice(walked.get(here))
}

/** Takes away nodes without followers until every node that is left leads into a cycle. */
function withoutEnds(graph: Graph): Graph {
  const left: Graph = new Map([...graph].map(([name, followers]) => [name, new Set(followers)]))
  const before = new Map<string, string[]>([...left.keys()].map((name) => [name, []]))
  for (const [name, followers] of left) for (const follower of followers) before.get(follower)?.push(name)
  const ends = [...left.keys()].filter((name) => left.get(name)?.size === 0)
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
    left.delete(end)
    for (const name of before.get(end) ?? []) {
      const followers = left.get(name)
      followers?.delete(end)
      if (followers?.size === 0) ends.push(name)
    }
  }
  return left
}

function checkReachable({ nodes }: TopologyDocument, graph: Graph): Fault[] {
  const reached = new Set<string>()
  const left = nodes.filter(({ type }) => isEventType(type)).map(({ name }) => name)
  if (left.length === 0) return [{ path: 'nodes', message: 'there is no event node; add one of type start' }]
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (reached.has(name)) continue
    reached.add(name)
    left.push(...(graph.get(name) ?? []))
  }
  const lost = (node: DocumentNode): boolean => !reached.has(node.name)
  return nodes.flatMap((node, index) =>
    lost(node) ? [{ path: `nodes[${index}]`, message: `no event node leads to ${node.name}; add an edge to it` }] : [],
  )
}

function checkFollowers({ nodes }: TopologyDocument, graph: Graph): Fault[] {
  return nodes.flatMap(({ name }, index) => {
    const bytes = [...(graph.get(name) ?? [])].join(', ').length
    if (bytes <= followersMaxBytes) return []
    const message = `the names of ${name}'s followers take ${bytes} bytes; at most ${followersMaxBytes} fit in a call`
    return [{ path: `nodes[${index}]`, message: `${message}: fewer followers, or shorter names` }]
  })
}
