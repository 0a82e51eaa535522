import type { Fault } from '../../errors.ts'
import { isEventType } from '../graph.ts'
import type { TopologyDocument } from '../schema.ts'
import { words } from './limits.ts'
import type { Limit } from './limits.ts'

/** Whether what calls count as can be had of the limits of their services. Pure. */

/** What is known of services. */
export interface Costing {
  /** The service of a node that names none; undefined: none, null: nobody knows. */
  readonly defaultService: (node: string) => string | null | undefined
  /** Undefined: nothing is declared. */
  readonly limitsOf: (service: string) => readonly Limit[] | undefined
}

/** The most that one call of a service may count as: more never fits into one of its limits. Null: any cost will do. */
export function mostOf(limits: readonly Limit[]): { readonly most: number; readonly limit: Limit } | null {
  const [least] = limits.map((limit) => ({ limit, most: mostIn(limit) })).sort((a, b) => a.most - b.most)
  return least ?? null
}

const mostIn = ({ rate, burst = 1 }: Limit): number => Math.max(rate, burst)

/** Nodes of a document whose calls count as more than there ever is, or against nothing. */
export function costFaults({ nodes }: TopologyDocument, { defaultService, limitsOf }: Costing): Fault[] {
  return nodes.flatMap(({ name, type, service, limitCost }, index) => {
    if (limitCost === undefined || isEventType(type)) return []
    const named = service ?? defaultService(name)
    if (named === null) return []
    const message =
      named === undefined
        ? `${name} has no service, so a limitCost counts against nothing; name its service, or remove limitCost`
        : costFault(name, limitCost, named, limitsOf(named) ?? [])
    return message === null ? [] : [{ path: `nodes[${index}].limitCost`, message }]
  })
}

/** Why calls of a node can't count as so much at a service; null when they can. */
export function costFault(node: string, cost: number, service: string, limits: readonly Limit[]): string | null {
  const least = mostOf(limits)
  if (least === null || cost <= least.most) return null
  const { limit, most } = least
  return `a call of ${node} counts as ${cost}, and ${words(limit)} of service ${service} never has room for that; lower limitCost to ${most}, or raise the limit`
}
