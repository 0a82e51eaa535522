/** What a guarded publish met: `settled` means that somebody published it (or its rival) before. */
export type Guarded = 'accepted' | 'settled'
