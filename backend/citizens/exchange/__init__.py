"""数据交换 (data exchange): departments' files, read, checked, and taken into the database."""
