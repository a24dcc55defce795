// The image without an engine: its stages built in folders by the commands of the Dockerfile, and containers that are
// processes of this machine's Node.js, with nothing of this process's environment, as an unprivileged user where
// that is possible, on an application folder nobody may write to.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findFreePort } from '../../src/server/db/embedded/free-port.ts'
import {
  buildStage,
  copyContext,
  environmentOf,
  execForm,
  only,
  parseDockerfile,
  type Stage,
} from './dockerfile.ts'
import { REPOSITORY, run, runInShell } from './shell.ts'

export interface Container {
  readonly url: string
  readonly process: ChildProcess
  /** Everything it has printed so far. */
  readonly output: () => string
  /** Waits until it serves; rejects with its output when it ends before. */
  readonly listening: () => Promise<void>
  /** Sends SIGTERM when asked to, and waits for the exit code. */
  readonly exit: (signal?: NodeJS.Signals) => Promise<number | null>
  /** Runs the HEALTHCHECK; gives its exit code. */
  readonly checkHealth: () => Promise<number | null>
}

export class Image {
  readonly stage: Stage
  /** The folder that plays WORKDIR of the last stage. */
  readonly app: string
  readonly #folder: string

  constructor(stage: Stage, app: string, folder: string) {
    this.stage = stage
    this.app = app
    this.#folder = folder
  }

  /** Builds every stage. Takes as long as installing the dependencies twice. */
  static async build(): Promise<Image> {
    const stages = parseDockerfile(await readFile(join(REPOSITORY, 'Dockerfile'), 'utf8'))
    const folder = await mkdtemp(join(tmpdir(), 'patmint-image-'))
    try {
      return await buildIn(folder, stages)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** A folder as the runtime stage makes it: empty, its owner's alone. */
  async makeDataDir(): Promise<string> {
    const dataDir = await mkdtemp(join(this.#folder, 'data-'))
    const { uid, gid } = this.#account()
    if (uid !== undefined && gid !== undefined) await chown(dataDir, uid, gid)
    return dataDir
  }

  /** Starts ENTRYPOINT with CMD, or with `args` in its place. */
  async run(variables: Record<string, string>, args = execForm(only(this.stage, 'CMD'))): Promise<Container> {
    const port = await findFreePort()
    const env = {
      ...environmentOf(this.stage),
      PATH: join(this.#folder, 'bin'),
      PATMINT_PORT: String(port),
      ...variables,
    }
    const child = this.#spawn([...execForm(only(this.stage, 'ENTRYPOINT')), ...args], env)
    const exited = once(child, 'exit').then(([code]) => code as number | null)
    let output = ''
    const listening = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          output += `${line}\n`
          if (line.includes('"msg":"listening"')) resolve()
        })
      }
    })
    const fail = exited.then((code) => {
      throw new Error(`ended with ${code}: ${output}`)
    })
    fail.catch(() => {})
    return {
      url: `http://127.0.0.1:${port}`,
      process: child,
      output: () => output,
      listening: () => Promise.race([listening, fail]),
      exit: (signal) => {
        if (signal) child.kill(signal)
        return exited
      },
      checkHealth: async () => {
        const command = only(this.stage, 'HEALTHCHECK').replace(/^CMD /, '')
        const [code] = await once(this.#spawn(execForm(command), env), 'exit')
        return code as number | null
      },
    }
  }

  async remove(): Promise<void> {
    // Without the right to write to a folder nobody but root can empty it.
    await run('chmod', ['-R', 'u+w', this.app], this.#folder)
    await rm(this.#folder, { recursive: true, force: true })
  }

  #spawn([command = '', ...args]: string[], env: Record<string, string>) {
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe']
    return spawn(command, args, { cwd: this.app, env, stdio, ...this.#account() })
  }

  /** The USER of the image; only root can become another user. */
  #account(): { uid?: number; gid?: number } {
    if (process.getuid?.() !== 0) return {}
    const [uid, gid] = only(this.stage, 'USER').split(':').map(Number)
    if (!uid || !gid) throw new Error('USER is not numeric')
    return { uid, gid }
  }
}

async function buildIn(folder: string, stages: readonly Stage[]): Promise<Image> {
  const final = stages.at(-1)
  if (!final) throw new Error('the Dockerfile has no stage')
  await chmod(folder, 0o755)
  const folders = {
    context: join(folder, 'context'),
    rootOf: (stage: string) => join(folder, `stage-${stage || 'final'}`),
    run: runInShell,
  }
  await copyContext(REPOSITORY, folders.context)
  for (const stage of stages.slice(0, -1)) await buildStage(stage, folders)
  // What the last stage runs needs root, and makes the data folder; here each container gets one of its own.
  const app = await buildStage(final, { ...folders, run: async () => {} })
  await mkdir(join(folder, 'bin'))
  await copyFile(process.execPath, join(folder, 'bin', 'node'))
  await run('chmod', ['-R', 'a+rX,a-w', app], folder)
  return new Image(final, app, folder)
}
