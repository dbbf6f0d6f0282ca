import { Problem } from '../api/client';
import { Loaded } from '../util/loaded.svelte';

/** One thing that a page is about; it may be gone by the time that somebody opens its address. */
export class One<Item> extends Loaded<Item> {
  gone = $state(false);

  constructor(load: () => Promise<Item>) {
    super(async () => {
      try {
        return await load();
      } catch (error) {
        this.gone = error instanceof Problem && error.status === 404;
        throw error;
      }
    });
    void this.again();
  }
}
