// The TypeScript SDK: node typescript.mjs QUESTION ADDRESS DEPLOYMENT
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// From where the command is started, and not from here.
const require = createRequire(`${process.cwd()}/package.json`);
const sdk = async (name) => import(pathToFileURL(require.resolve(`comfydeploy/${name}`)));

const [question, serverURL, deploymentId] = process.argv.slice(2);
const { ComfyDeployCore } = await sdk("core.js");
const client = new ComfyDeployCore({ bearer: "local-key", serverURL });
const request = { deploymentId, inputs: { prompt: "a cat" } };
const retries = {
  strategy: "backoff",
  backoff: { initialInterval: 1, maxInterval: 50, exponent: 1.1, maxElapsedTime: 3000 },
  retryConnectionErrors: true,
};

async function call(name, argument, options) {
  const result = await (await sdk(`funcs/${name}.js`))[name](client, argument, options);
  if (!result.ok) throw result.error;
  return result.value;
}

async function queued(options) {
  return `returned ${(await call("runDeploymentQueue", request, options)).runId}`;
}

async function waited() {
  const { runId } = await call("runDeploymentQueue", request);
  for (;;) {
    const run = await call("runGet", { runId });
    if (["success", "failed", "timeout", "cancelled"].includes(run.status)) return `returned a run that is ${run.status}`;
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function streamed() {
  let count = 0;
  try {
    for await (const _ of await call("runDeploymentStream", request)) count += 1;
  } catch (error) {
    return `${count} events, then ${error.name}`;
  }
  return `${count} events`;
}

const questions = {
  lost: () => queued(),
  lost_502: () => queued(),
  lost_retries: () => queued({ retries }),
  lost_502_retries: () => queued({ retries }),
  waited,
  poll_502: waited,
  poll_nginx: waited,
  poll_reset: waited,
  failed: async () => `returned ${JSON.stringify(await call("runDeploymentSync", request))}`,
  streamed,
  broken: streamed,
};

try {
  console.log(question in questions ? await questions[question]() : "has nothing of the kind");
} catch (error) {
  const text = `${error.message} ${error.cause?.cause?.message ?? error.cause?.message ?? ""}`;
  console.log(`raised ${error.name}: ${text.replace(/\s+/g, " ").trim().slice(0, 160)}`);
}
