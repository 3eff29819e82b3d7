/** How a server of others is started on loopback. */
export type OtherServerOptions = {
  readonly folder: string;
  readonly clientPort: number;
  readonly serverPort: number;
  /** Whose certificates it has to trust. */
  readonly caFile: string;
  readonly certified: { readonly certificate: string; readonly key: string };
};

export type OtherServer = {
  readonly serverName: string;
  readonly baseUrl: string;
  readonly pid: number;
  stop(): Promise<void>;
};
