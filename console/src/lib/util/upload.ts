/** Send a CSV file to be imported; by XMLHttpRequest, which alone tells how much of a body has gone out. */
import { getCsrf, Problem, problemOf, type Schemas } from '../api/client';
import { language } from '../i18n/language.svelte';

export function upload(file: File, tell: (share: number) => void): Promise<Schemas['Import']> {
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => tell(event.total ? event.loaded / event.total : 0);
    request.onerror = () => reject(new Problem(0, 'unreachable', ''));
    request.onload = () => {
      const said: unknown = read(request.responseText);
      if (request.status === 201) resolve(said as Schemas['Import']);
      else reject(problemOf({ status: request.status } as Response, said));
    };
    request.open('POST', `/api/v1/imports?${new URLSearchParams({ name: file.name.slice(0, 200) })}`);
    request.setRequestHeader('Content-Type', 'text/csv');
    request.setRequestHeader('X-CSRF-Token', getCsrf());
    request.setRequestHeader('Accept-Language', language.code);
    request.send(file);
  });
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
