/** In bytes: "4KB" is what every server has to take. */
export const maxContent = 4096;
