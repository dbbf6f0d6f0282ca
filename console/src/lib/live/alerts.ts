import type { Schemas } from '../api/client';
import { language } from '../i18n/language.svelte';

/** An alert reaches every manager at once, so it brings its sentence in each language. */
export const said = (alert: Schemas['AlertView']): string => alert.sentences[language.code] ?? alert.sentence;
