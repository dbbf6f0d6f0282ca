/** The parts of My settings, in their order; each has an address of its own on the page. */
export const SECTIONS = ['calls', 'voicemail', 'phones', 'sound', 'recording', 'language', 'keys', 'signin'] as const;
