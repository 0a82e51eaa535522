/** Fields say by `data-field` which path of the document they are of. */
export function focusField(field: string): void {
  const fields = [...document.querySelectorAll<HTMLElement>('[data-field]')]
  const exact = fields.find(({ dataset }) => dataset['field'] === field)
  const around = fields.find(({ dataset }) => field.startsWith(`${dataset['field'] ?? ''}.`))
  const found = exact ?? around
  const input =
    found?.matches('input, textarea, button') === true
      ? found
      : found?.querySelector<HTMLElement>('input, textarea, button')
  input?.focus()
  found?.scrollIntoView({ block: 'center' })
}
