#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { demoCommand } from '../app/demo/demo-command.ts'

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    'data-dir': { type: 'string' },
    once: { type: 'boolean', default: false },
  },
})
const exitCode = await demoCommand(
  { config: values.config, dataDir: values['data-dir'], once: values.once },
  {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    environment: process.env,
    isTerminal: process.stdout.isTTY === true,
    columns: process.stdout.columns ?? 80,
  },
)
process.exit(exitCode)
