/**
 * What becomes of encrypted messages when every device goes but the page, which has no keys. Key backups belong to the
 * account, and stay.
 */
export const lostKeys =
  'Devices that are logged out lose the keys to your encrypted messages, and this page never has any. ' +
  'Afterwards you can read those messages only with the recovery key of your key backup. ' +
  'Have it at hand before, or they are lost for ever.';
