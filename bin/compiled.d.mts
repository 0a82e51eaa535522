/** Path of a compiled entry, by default the engine's. */
export function ensureCompiled(entry?: string): Promise<string>
