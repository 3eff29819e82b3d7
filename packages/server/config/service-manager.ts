/** Whether a service manager wants to be told that the server is ready: it names a socket for that (sd_notify(3)). */
export function asksForReadiness(environment = process.env): boolean {
  return environment['NOTIFY_SOCKET'] !== undefined;
}
