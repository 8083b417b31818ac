"""预警监测 (warnings): households whose medical spending is too heavy are found and visited."""
