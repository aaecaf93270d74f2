const levels = ["debug", "info", "warn", "error"];
const least = Math.max(levels.indexOf(process.env.LOG_LEVEL ?? "info"), 0);

/** Writes one JSON object a line, for machines that read logs. */
export function log(level, message, fields = {}) {
  if (levels.indexOf(level) >= least) {
    console.log(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }));
  }
}
