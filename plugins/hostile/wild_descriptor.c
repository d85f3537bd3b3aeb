/* Its descriptor lies where no memory is. */
#define DESCRIPTOR ((const char *)16)
#define DESCRIPTOR_LENGTH 100
#include "hostile.h"
