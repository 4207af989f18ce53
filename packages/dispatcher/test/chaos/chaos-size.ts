import { isFullChaos } from "../../../../test/chaos-figures.js";

/** The seed of this run: `CHAOS_SEED`, else any. */
export const SEED = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1_000_000));

/** How many processes are killed: `CHAOS_KILLS`, else 30, or 200 in `npm run test:chaos`. */
export const KILLS = Number(process.env.CHAOS_KILLS ?? (isFullChaos ? 200 : 30));
