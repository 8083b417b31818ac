"""经办日历 (calendars): what comes round by the day, month and year: exits to tell, recognitions to
renew, review lists, summaries by institution, settlement."""
