/*
 * What stands in a final response of ours to an INVITE: why the call was refused, and when it may be tried again.
 *
 * Copyright (C) 2026 the makers of Switchhook. This file is linked into Asterisk and may be distributed and changed
 * under the terms of the GNU General Public License, version 2.
 *
 * Told as "seconds|sentence"; either may be empty:
 *   Retry-After: seconds                              (RFC 3261, section 20.33)
 *   Reason: SIP;cause=<the status>;text="sentence"    (RFC 3326)
 */

#ifndef SWITCHHOOK_REFUSAL_H
#define SWITCHHOOK_REFUSAL_H

#include "asterisk/res_pjsip.h"

#define LONGEST_SENTENCE 240
#define LONGEST_TOLD (2 * LONGEST_SENTENCE)
#define MOST_DIGITS 5

static void add_retry_after(pjsip_tx_data *tdata, const char *seconds)
{
	size_t length = strlen(seconds);

	if (length && length <= MOST_DIGITS && strspn(seconds, "0123456789") == length) {
		ast_sip_add_header(tdata, "Retry-After", seconds);
	}
}

/*! A quoted string (RFC 3261, section 25.1): no control character can end the line, no quote the string. */
static void add_reason(pjsip_tx_data *tdata, int status, const char *sentence)
{
	char value[LONGEST_SENTENCE + sizeof("SIP;cause=000;text=\"\"")];
	int used = snprintf(value, sizeof(value), "SIP;cause=%d;text=\"", status);
	int most = LONGEST_SENTENCE;

	for (; *sentence && most >= 2; sentence++) {
		unsigned char each = *sentence;

		if (each == '"' || each == '\\') {
			value[used++] = '\\';
			most--;
		}
		value[used++] = each < ' ' || each == 127 ? ' ' : each;
		most--;
	}
	if (*sentence) { /* cut: take back what is left of a character of several bytes */
		while ((value[used - 1] & 0xc0) == 0x80) {
			used--;
		}
		used -= (value[used - 1] & 0xc0) == 0xc0;
	}
	value[used++] = '"';
	value[used] = '\0';
	ast_sip_add_header(tdata, "Reason", value);
}

/*! ``told`` is cut in two on the way. Text without the bar says nothing. */
static void add_refusal(pjsip_tx_data *tdata, char *told)
{
	char *sentence = strchr(told, '|');

	if (!sentence) {
		return;
	}
	*sentence++ = '\0';
	add_retry_after(tdata, told);
	if (*sentence) {
		add_reason(tdata, tdata->msg->line.status.code, sentence);
	}
}

#endif
