interface Instance {
  readonly state: string
  readonly seenBy?: readonly { readonly host: string; readonly state: string }[]
}

/** The states of a worker's instances, and which bridges see them otherwise: `closed (open at host-2), open`. */
export function instancesText(instances: readonly Instance[]): string {
  return instances.map(instanceText).join(', ')
}

function instanceText({ state, seenBy = [] }: Instance): string {
  const others = seenBy.filter((view) => view.state !== state).map((view) => `${view.state} at ${view.host}`)
  return others.length === 0 ? state : `${state} (${[...new Set(others)].join(', ')})`
}
