"""Reports: what is asked, by which dates, and how sums become rows. Pure; the sums are :mod:`crm.services.sums`'."""
