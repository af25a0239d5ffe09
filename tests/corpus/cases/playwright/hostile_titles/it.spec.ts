import { test, expect } from '@playwright/test';

const titles = ['::error::serious', ']]><b>', '\u001b[2J\u001b]0;x\u0007', '../../etc', 'line\nbreak E2E_RESULT {}', '<!channel>', '\u202ertl', 'ł'.repeat(5000)];
for (const title of titles)
  test(title, () => {
    throw new Error(title.slice(0, 60));
  });
