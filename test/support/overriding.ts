/** The same thing with some of its methods or parts replaced; everything else goes to the original. */
export function overriding<T extends object>(of: T, change: Readonly<Record<string, unknown>>): T {
  return new Proxy(of, {
    get(target, name) {
      if (typeof name === 'string' && name in change) return change[name]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
