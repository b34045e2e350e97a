DROP TABLE automation_delivery;
DROP TABLE automation_position;
DROP TABLE automation_standing;
DROP TABLE automation;
