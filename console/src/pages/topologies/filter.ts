const shows = ['published', 'draft', 'disabled', 'paused', 'attention'] as const
export type Show = (typeof shows)[number]

/** Which topologies are shown, as the address says it and the API takes it. */
export interface Filter {
  readonly text?: string
  readonly labels?: string
  readonly show?: Show
  readonly after?: string
}

export function filterOf(params: URLSearchParams): Filter {
  const given = (name: string): string | undefined => params.get(name) || undefined
  const [text, labels, after] = [given('text'), given('labels'), given('after')]
  const show = shows.find((one) => one === params.get('show'))
  return { ...(text && { text }), ...(labels && { labels }), ...(show && { show }), ...(after && { after }) }
}

export function isFiltered({ text, labels, show }: Filter): boolean {
  return text !== undefined || labels !== undefined || show !== undefined
}
