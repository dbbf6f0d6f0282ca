import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { language } from './lib/i18n/language.svelte';

await language.start();
const target = document.getElementById('page');
if (target) mount(App, { target });
