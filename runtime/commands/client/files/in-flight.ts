import { Option } from 'commander'

const inFlightModes = ['refuse', 'drain', 'trash'] as const
export type InFlight = (typeof inFlightModes)[number]

export function inFlightOption(says: string): Option {
  return new Option('--in-flight <how>', says).choices(inFlightModes).default('refuse')
}
