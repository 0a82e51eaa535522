/** The folder of the built console; built anew when its sources have changed. */
export function ensureConsole(): Promise<string>
