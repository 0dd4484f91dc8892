// What has to be on a machine for each of the three: the program as the image holds it, without symbols.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function sizes() {
  const which = (program) => execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
  const packages = fileURLToPath(new URL('express/node_modules', import.meta.url));
  return {
    nginx: statSync(which('nginx')).size,
    gateway: stripped(process.env.BINARY),
    Express: statSync(process.execPath).size + folder(packages),
  };
}

function stripped(program) {
  const work = mkdtempSync(join(tmpdir(), 'nextbnb-size-'));
  try {
    execFileSync('strip', ['-o', join(work, 'program'), program]);
    return statSync(join(work, 'program')).size;
  } finally {
    rmSync(work, { recursive: true });
  }
}

function folder(path) {
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, path: before, name }) => sum + statSync(join(parentPath ?? before, name)).size, 0);
}
