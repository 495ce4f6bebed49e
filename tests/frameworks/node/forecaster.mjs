// An agent on the Vercel AI SDK; its spans are appended to SPANS, a line of OTLP JSON each.

import { appendFileSync } from "node:fs";
import { createOpenAI } from "@ai-sdk/openai";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const exporter = {
  export(spans, done) {
    appendFileSync(process.env.SPANS, `${new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans))}\n`);
    done({ code: 0 });
  },
  async shutdown() {},
};
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();

const openai = createOpenAI({ baseURL: `${process.env.MODEL_URL}/v1`, apiKey: "none" });
const getWeather = tool({
  description: "The weather in a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    if (city === "Atlantis") throw new Error(`no weather station in ${city}`);
    return "4 degrees and rain";
  },
});

async function ask(prompt) {
  const settings = {
    model: openai.chat("gpt-5-mini"),
    system: "You are brief.",
    prompt,
    tools: { get_weather: getWeather },
    maxRetries: 0,
    stopWhen: stepCountIs(5),
    experimental_telemetry: { isEnabled: true, functionId: "forecaster", metadata: { sessionId: "visit-1" } },
  };
  return process.env.STREAM ? await streamText(settings).text : (await generateText(settings)).text;
}

for (const city of ["Oslo", "Atlantis"]) console.log(await ask(`What is the weather in ${city}?`));
