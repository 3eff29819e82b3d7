/** Columns in which people are. */
export const personColumn = /^(?:user_id|sender|signer|reporter|creator|owner|inviter|observer|target_user|localpart)$/;
